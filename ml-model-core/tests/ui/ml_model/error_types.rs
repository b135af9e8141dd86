use ml_model_core::{Infer, MLModel};

#[derive(Debug)]
enum LoadError {
    Missing,
}

#[derive(MLModel)]
struct Model;

impl Infer for Model {
    type Input = u8;
    type Output = u8;
    type Error = LoadError;

    fn infer(&self, _: &u8) -> Result<u8, LoadError> {
        Err(LoadError::Missing)
    }
}

#[derive(MLModel)]
struct Boxed;

impl Infer for Boxed {
    type Input = u8;
    type Output = u8;
    type Error = Box<dyn std::error::Error>;

    fn infer(&self, input: &u8) -> Result<u8, Self::Error> {
        Ok(*input)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Shared(std::rc::Rc<str>);

#[derive(MLModel)]
struct Counted;

impl Infer for Counted {
    type Input = u8;
    type Output = u8;
    type Error = Shared;

    fn infer(&self, input: &u8) -> Result<u8, Shared> {
        Ok(*input)
    }
}

fn main() {
    let _ = (Model.predict(1), Boxed.predict(1), Counted.predict(1));
}
