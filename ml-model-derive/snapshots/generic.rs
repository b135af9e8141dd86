#[ml_model(crate = ::renamed)]
#[decorate(crate::Timing)]
#[decorate(metrics)]
#[decorate(logging(input_fields = ["age"]))]
struct Generic<'a, T: Clone, const N: usize>
where
    T: Send + Sync,
{
    part: &'a [T; N],
}
