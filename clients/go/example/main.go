// Signs in, adds a charger and prints what happens to it until Ctrl-C.
package main

import (
	authv1 "chargemesh/clients/go/gen/chargemesh/auth/v1"
	chargerv1 "chargemesh/clients/go/gen/chargemesh/charger/v1"
	"cmp"
	"context"
	"fmt"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"log"
	"os"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	ctx, plain, id := context.Background(), grpc.WithTransportCredentials(insecure.NewCredentials()), cmp.Or(os.Getenv("CHARGER_ID"), "CP-1")
	users := authv1.NewUserServiceClient(must(grpc.NewClient(cmp.Or(os.Getenv("AUTH_ADDRESS"), "127.0.0.1:3001"), plain)))
	login := &authv1.LogInRequest{Username: cmp.Or(os.Getenv("CHARGEMESH_USERNAME"), "admin"), Password: os.Getenv("CHARGEMESH_PASSWORD")}
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+must(users.LogIn(ctx, login)).GetUser().GetAccessToken())
	conn := must(grpc.NewClient(cmp.Or(os.Getenv("CHARGER_ADDRESS"), "127.0.0.1:3002"), plain))
	events := must(chargerv1.NewEventServiceClient(conn).WatchEvents(ctx, &chargerv1.WatchEventsRequest{}))
	must(events.Header()) // The stream is open now, so that nothing of what follows is missed.
	charger := must(chargerv1.NewChargerServiceClient(conn).CreateCharger(ctx, &chargerv1.CreateChargerRequest{Charger: &chargerv1.Charger{Id: id}})).GetCharger()
	fmt.Printf("added %s; its password is %s\n", charger.GetId(), charger.GetPassword())
	for {
		if event := must(events.Recv()).GetEvent(); event.GetSubject() == id {
			fmt.Println(string(must(protojson.Marshal(event))))
		}
	}
}
