include!("../common.rs");

struct Timing;

mod decorators {
    pub fn rounding(_digits: u8) -> u8 {
        2
    }
}

#[derive(MLModel)]
#[decorate(Timing)]
#[decorate(decorators::rounding(2))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
