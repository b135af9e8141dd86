#[ml_model(qualified_name = "no identifier")]
#[decorate(prediction_id)]
#[decorate(loging)]
struct SumModel;
