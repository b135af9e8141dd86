include!("../common.rs");

#[derive(MLModel)]
struct Model;

#[decorate(prediction_id)]
impl Infer for Model {
    type Input = Input;
    type Output = Output;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        Ok(Output { charges: f64::from(input.age) })
    }
}

fn main() {}
