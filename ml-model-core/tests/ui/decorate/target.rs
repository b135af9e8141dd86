include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(target = "my target {}"))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
