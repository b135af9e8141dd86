include!("../common.rs");

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age"]))]
struct Model;

impl Infer for Model {
    type Input = Input;
    type Output = Output;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        let charges: f64 = input.age;
        Ok(Output { charges })
    }
}

fn main() {
    let _ = Model.display_name();
}
