include!("../common.rs");

struct Timing(u64);

#[derive(MLModel)]
#[decorate(Timing(self.limit))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
