include!("../common.rs");

#[derive(MLModel)]
union Model {
    number: u32,
    bits: f32,
}

infer!(Model);

fn main() {
    let _ = Model { number: 1 }.display_name();
}
