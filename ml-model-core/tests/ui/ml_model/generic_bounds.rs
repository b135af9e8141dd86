include!("../common.rs");

pub trait Tree {}

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age"], output_fields = ["charges"]))]
struct Model<T>(T);

impl<T: Tree> Infer for Model<T> {
    type Input = Input;
    type Output = Output;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        Ok(Output { charges: f64::from(input.age) })
    }
}

fn main() {}
