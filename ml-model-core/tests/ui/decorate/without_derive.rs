#![allow(unused_imports)]

include!("../common.rs");

#[decorate(prediction_id)]
struct Model;

infer!(Model);

fn main() {}
