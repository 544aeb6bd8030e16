"""Signs in, adds a charger and prints what happens to it until Ctrl-C."""

import os
import sys

import grpc
from chargemesh.auth.v1.user_service_pb2 import LogInRequest
from chargemesh.auth.v1.user_service_pb2_grpc import UserServiceStub
from chargemesh.charger.v1 import events_pb2  # noqa: F401  What Event.data may hold.
from chargemesh.charger.v1.charger_pb2 import Charger
from chargemesh.charger.v1.charger_service_pb2 import CreateChargerRequest
from chargemesh.charger.v1.charger_service_pb2_grpc import ChargerServiceStub
from chargemesh.charger.v1.event_service_pb2 import WatchEventsRequest
from chargemesh.charger.v1.event_service_pb2_grpc import EventServiceStub
from google.protobuf.json_format import MessageToJson

env = os.environ.get
users = UserServiceStub(grpc.insecure_channel(env("AUTH_ADDRESS", "127.0.0.1:3001")))
channel = grpc.insecure_channel(env("CHARGER_ADDRESS", "127.0.0.1:3002"))
charger_id = env("CHARGER_ID", "CP-1")

try:
    login = LogInRequest(username=env("CHARGEMESH_USERNAME", "admin"), password=env("CHARGEMESH_PASSWORD", ""))
    metadata = [("authorization", f"Bearer {users.LogIn(login).user.access_token}")]
    events = EventServiceStub(channel).WatchEvents(WatchEventsRequest(), metadata=metadata)
    events.initial_metadata()  # The stream is open now, so that nothing of what follows is missed.
    request = CreateChargerRequest(charger=Charger(id=charger_id))
    charger = ChargerServiceStub(channel).CreateCharger(request, metadata=metadata).charger
    print(f"added {charger.id}; its password is {charger.password}", flush=True)
    for event in (answer.event for answer in events):
        if event.subject == charger_id:
            print(MessageToJson(event, indent=None), flush=True)
except grpc.RpcError as error:
    sys.exit(f"{error.code().name} {error.details()}")
except KeyboardInterrupt:
    pass
