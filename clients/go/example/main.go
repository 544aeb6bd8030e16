// Signs in, adds a charger and prints what happens to it until Ctrl-C.
package main

import (
	authv1 "chargemesh/clients/go/gen/chargemesh/auth/v1"
	chargerv1 "chargemesh/clients/go/gen/chargemesh/charger/v1"
	"cmp"
	"context"
	"fmt"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"log"
	"os"
	"time"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	plain, id := grpc.WithTransportCredentials(insecure.NewCredentials()), cmp.Or(os.Getenv("CHARGER_ID"), "CP-1")
	users := authv1.NewUserServiceClient(must(grpc.NewClient(cmp.Or(os.Getenv("AUTH_ADDRESS"), "127.0.0.1:3001"), plain)))
	login := &authv1.LogInRequest{Username: cmp.Or(os.Getenv("CHARGEMESH_USERNAME"), "admin"), Password: os.Getenv("CHARGEMESH_PASSWORD")}
	signIn := func() context.Context {
		user := must(users.LogIn(context.Background(), login)).GetUser()
		return metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+user.GetAccessToken())
	}
	ctx, cursor := signIn(), ""
	conn := must(grpc.NewClient(cmp.Or(os.Getenv("CHARGER_ADDRESS"), "127.0.0.1:3002"), plain))
	follow := func(ctx context.Context) grpc.ServerStreamingClient[chargerv1.WatchEventsResponse] {
		return must(chargerv1.NewEventServiceClient(conn).WatchEvents(ctx, &chargerv1.WatchEventsRequest{ChargerId: id, Cursor: cursor}))
	}
	events := follow(ctx)
	must(events.Header()) // The stream is open now, so that nothing of what follows is missed.
	charger := must(chargerv1.NewChargerServiceClient(conn).CreateCharger(ctx, &chargerv1.CreateChargerRequest{Charger: &chargerv1.Charger{Id: id}})).GetCharger()
	fmt.Printf("added %s; its password is %s\n", charger.GetId(), charger.GetPassword())
	for {
		answer, err := events.Recv()
		switch status.Code(err) {
		case codes.OK:
			cursor = answer.GetEvent().GetCursor()
			fmt.Println(string(must(protojson.Marshal(answer.GetEvent()))))
		case codes.Unavailable, codes.Unauthenticated: // Lost, or its token has ended: on after the last event that was seen.
			time.Sleep(time.Second)
			events = follow(signIn())
		default:
			log.Fatal(err)
		}
	}
}
