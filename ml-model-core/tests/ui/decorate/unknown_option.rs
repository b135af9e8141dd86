include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_feilds = ["age"], colour = "red", level = verbose, level = info))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
