use ml_model_core::{Answer, Decorator, Infer, MLModel, Request};

struct Quota;

impl<M: Infer> Decorator<M> for Quota {}

struct Cache;

impl<M: MLModel + Infer> Decorator<M> for Cache {
    fn call(&self, model: &M, request: Request<<M as MLModel>::Input>) -> Answer<<M as MLModel>::Output> {
        model.call(request)
    }
}

struct Limit;

impl Decorator<Model> for Limit {}

#[derive(MLModel)]
#[decorate(Cache)]
#[decorate(Limit)]
struct Model;

impl Infer for Model {
    type Input = u8;
    type Output = u8;
    type Error = String;

    fn infer(&self, input: &u8) -> Result<u8, String> {
        Ok(*input)
    }
}

fn main() {}
