include!("../common.rs");

#[derive(MLModel)]
#[decorate(crate::Timing)]
#[decorate(Cache::with_ttl(60))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
