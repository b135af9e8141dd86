include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = ["address.zipp", "addres.zip as zip", "home.zipp as home", home.zipp]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
