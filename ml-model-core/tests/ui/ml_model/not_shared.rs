include!("../common.rs");

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age"], output_fields = ["charges"]))]
#[decorate(metrics)]
struct Model(std::rc::Rc<u8>);

infer!(Model);

#[derive(MLModel)]
struct Cached(std::cell::RefCell<u8>);

infer!(Cached);

fn main() {}
