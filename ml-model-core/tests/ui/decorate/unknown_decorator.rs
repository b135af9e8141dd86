include!("../common.rs");

#[derive(MLModel)]
#[decorate(predicton_id)]
#[decorate(loging(input_fields = ["age"]))]
#[decorate(metric)]
#[decorate(caching(ttl = 60))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
