include!("../common.rs");

#[derive(MLModel)]
struct Model;

impl Infer for Model {
    type Input = Input;
    type Output = Result<Output, std::convert::Infallible>;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Input) -> Result<Self::Output, Self::Error> {
        Ok(Ok(Output { charges: f64::from(input.age) }))
    }
}

fn main() {}
