include!("../common.rs");

#[derive(MLModel)]
#[decorate("logging")]
#[decorate("fast")]
#[decorate(42)]
#[decorate(|request| request)]
#[decorate(logging!(input_fields = ["age"]))]
#[decorate(logging;)]
#[decorate(decorator = Timing)]
#[decorate(Cache<u8>::new())]
#[decorate(input_fields = ["age"])]
#[decorate(logging, input_fields = ["age"])]
#[decorate(prediction_id; logging)]
#[decorate(PredictionIDDecorator)]
#[decorate(PredictionIdDecorator)]
#[decorate(prediction-id)]
#[decorate(redacted(ssn))]
#[decorate(Retry::new(3)?)]
#[decorate(Retry { attempts = 3 })]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
