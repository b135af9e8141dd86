use std::sync::LazyLock;

include!("../common.rs");

struct Cache;

impl Cache {
    fn new() -> Self {
        Self
    }
}

impl<M: MLModel> ml_model_core::Decorator<M> for Cache {}

static CACHE: LazyLock<Cache> = LazyLock::new(Cache::new);

#[derive(MLModel)]
#[decorate(Cache::new)]
#[decorate(CACHE)]
#[decorate(Some(Cache::new()))]
struct Model;

infer!(Model);

fn main() {}
