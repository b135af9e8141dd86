include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = [redacted(ssn), hashed(ssn), hashed(status), "hashed(prediction_id)"]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
