include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = [redacted(sn), "hashed(address.zipp)"]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
