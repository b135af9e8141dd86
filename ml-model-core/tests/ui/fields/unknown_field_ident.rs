include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = [age, bmii, address.zipp], output_fields = [charge as c]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
