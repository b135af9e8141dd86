"""The trivial model for the Python service, and decorators that leave the same records as ours.

Written for this comparison. The id decorator stands outside, so both records carry the id.
"""
import logging
import time
import uuid
from typing import Optional

from ml_base import MLModel, MLModelDecorator
from pydantic import BaseModel, create_model


class Input(BaseModel):
    age: int
    bmi: float


class Output(BaseModel):
    charges: float


class TrivialModel(MLModel):
    display_name = "Trivial Model"
    qualified_name = "trivial_model"
    description = "The trivial model."
    version = "0.1.0"
    input_schema = Input
    output_schema = Output

    def __init__(self):
        pass

    def predict(self, data):
        return Output(charges=data.age * 37.5 + data.bmi * 11.25)


class PredictionIDDecorator(MLModelDecorator):
    """Takes the caller's id or makes one, hands it on and returns it."""

    _input = create_model("InputWithID", __base__=Input, prediction_id=(Optional[str], None))
    _output = create_model("OutputWithID", __base__=Output, prediction_id=(str, ...))

    @property
    def input_schema(self):
        return PredictionIDDecorator._input

    @property
    def output_schema(self):
        return PredictionIDDecorator._output

    def predict(self, data):
        if data.prediction_id is None:
            data.prediction_id = str(uuid.uuid4())
        prediction = self._model.predict(data)
        return PredictionIDDecorator._output(
            **prediction.model_dump(), prediction_id=data.prediction_id)


class LoggingDecorator(MLModelDecorator):
    """Leaves a record before and after each prediction."""

    def predict(self, data):
        model, configuration = self._model, self._configuration
        logger = logging.getLogger(f"{model.qualified_name}_logger")
        subject = {
            "action": "predict",
            "model_qualified_name": model.qualified_name,
            "model_version": model.version,
            "prediction_id": data.prediction_id,
        }
        fields = {name: getattr(data, name) for name in configuration["input_fields"]}
        logger.info("Prediction requested.", extra={**subject, **fields})
        started = time.perf_counter()
        try:
            prediction = model.predict(data)
        except Exception as error:
            logger.error("Prediction exception.", extra={
                **subject, "status": "error", "error_info": str(error)})
            raise
        duration_ms = round((time.perf_counter() - started) * 1000, 3)
        fields = {name: getattr(prediction, name) for name in configuration["output_fields"]}
        logger.info("Prediction created.", extra={
            **subject, "status": "success", "duration_ms": duration_ms, **fields})
        return prediction
