"""What is asked for, and what is answered."""
from charms.reactive import BaseRequest, BaseResponse, Field


class JobDone(BaseResponse):
    result = Field("Twice the size.")
    note = Field("A word about it, or none.")


class Job(BaseRequest):
    RESPONSE_CLASS = JobDone

    name = Field("The job's name, by which it is known again.")
    size = Field("How much there is to do.")
