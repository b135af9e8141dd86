"""The model of the recorded services."""
import time

from ml_base import MLModel
from pydantic import BaseModel


class Input(BaseModel):
    age: int
    bmi: float


class Output(BaseModel):
    charges: float


class InsuranceChargesModel(MLModel):
    display_name = "Insurance Charges Model"
    qualified_name = "insurance_charges_model"
    description = "Model to predict the insurance charges of a customer."
    version = "0.1.0"
    input_schema = Input
    output_schema = Output

    def __init__(self):
        pass

    def predict(self, data):
        if data.age < 18:
            raise ValueError(f"no tree for age {data.age}")
        if data.age > 60:
            # Long enough for other predictions to begin and to end.
            time.sleep((data.age - 60) / 10)
        return Output(charges=data.age * 37.5 + data.bmi * 11.25)
