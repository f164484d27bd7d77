package appio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
)

// exampleClient stands for a client of yours: it reaches a simulator instead of the
// platform.
func exampleClient(prepare func(*appiotest.Server)) (client *appio.Client, close func()) {
	server := appiotest.NewServer(appiotest.Config{})
	server.AddService(appiotest.Service{ID: "tributi", Key: "a-key", Body: "80185250588"})
	if prepare != nil {
		prepare(server)
	}
	key, err := flussi.ParseKey("a-key")
	if err != nil {
		panic(err)
	}
	client, err = appio.New(key, appio.Config{BaseURL: server.URL})
	if err != nil {
		panic(err)
	}
	return client, server.Close
}

func exampleMessage() appio.Message {
	return appio.Message{
		To:      flussi.TestRecipient(),
		Subject: flussi.NewText("Scadenza della TARI"),
		Content: flussi.NewText("Gentile cittadina, gentile cittadino, la prima rata della TARI scade il 16 giugno 2025."),
	}
}

// From a key to a sent message. Here the key is the simulator's; leave the BaseURL out
// to reach the platform.
func Example() {
	server := appiotest.NewServer(appiotest.Config{})
	defer server.Close()
	server.AddService(appiotest.Service{ID: "tributi", Key: "a-key"})

	key, err := flussi.ParseKey("a-key")
	if err != nil {
		panic(err)
	}
	client, err := appio.New(key, appio.Config{BaseURL: server.URL})
	if err != nil {
		panic(err)
	}
	receipt, err := client.Submit(context.Background(), appio.Message{
		To:      flussi.TestRecipient(),
		Subject: flussi.NewText("Scadenza della TARI"),
		Content: flussi.NewText("Gentile cittadina, gentile cittadino, la prima rata della TARI scade il 16 giugno 2025."),
	})
	fmt.Println(flussi.OutcomeOf(err), receipt.Attempts)
	// Output: done 1
}

// A notice that the citizen can pay in the app, with a button.
func ExampleClient_Submit_payment() {
	client, close := exampleClient(nil)
	defer close()

	number, err := flussi.ParseNoticeNumber("301005100001400678")
	if err != nil {
		panic(err)
	}
	due, err := flussi.EndOfDay(2025, time.June, 16)
	if err != nil {
		panic(err)
	}
	content, err := appio.Markdown(
		"Gentile cittadina, gentile cittadino, la prima rata della TARI è da pagare.",
		appio.Button{Label: "Apri lo sportello", Link: "https://www.comune.example.it/tari"},
	)
	if err != nil {
		fmt.Println(flussi.Explain(err))
		return
	}
	message := exampleMessage()
	message.Content, message.DueDate = content, due
	message.Payment = &appio.Payment{Amount: 1250, NoticeNumber: number, InvalidAfterDueDate: true}
	_, err = client.Submit(context.Background(), message)
	fmt.Println(flussi.OutcomeOf(err))
	// Output: done
}

// Each kind of error says what can be done next.
func Example_outcomes() {
	client, close := exampleClient(func(s *appiotest.Server) {
		s.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.LocationOnly}, appiotest.Fault{Kind: appiotest.Reset, Stored: true},
			appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: time.Hour})
	})
	defer close()
	short := exampleMessage()
	short.Subject = flussi.NewText("TARI")
	for _, message := range []appio.Message{short, exampleMessage(), exampleMessage(), exampleMessage()} {
		receipt, err := client.Submit(context.Background(), message)
		switch flussi.OutcomeOf(err) {
		case flussi.OutcomeDone:
			fmt.Println("sent; keep the ID:", len(receipt.ID) == 26)
		case flussi.OutcomeRefused:
			fmt.Println("correct:", flussi.Explain(err))
		case flussi.OutcomeNotDone:
			var failed *flussi.RemoteError
			if errors.As(err, &failed) && errors.Is(err, flussi.ErrRateLimited) {
				fmt.Println("later: in", failed.RetryAfter)
			}
		case flussi.OutcomeUnknown:
			fmt.Println("ask a person:", flussi.Explain(err))
		}
	}
	// Output:
	// correct: L'oggetto ha 4 caratteri: devono essere da 10 a 120.
	// sent; keep the ID: true
	// ask a person: Esito sconosciuto: il messaggio potrebbe essere arrivato. Prima di inviarlo di nuovo, chiedere al cittadino se l'ha ricevuto.
	// later: in 1h0m0s
}

// Whether a citizen can be sent messages.
func ExampleClient_Profile() {
	client, close := exampleClient(func(s *appiotest.Server) {
		s.AddCitizen(appiotest.Citizen{Code: flussi.TestRecipient(), Absent: true})
	})
	defer close()
	profile, err := client.Profile(context.Background(), flussi.TestRecipient())
	switch {
	case errors.Is(err, flussi.ErrRemoteNotFound):
		fmt.Println("not on App IO")
	case err != nil:
		fmt.Println(flussi.Explain(err))
	default:
		fmt.Println("may be sent messages:", profile.SenderAllowed)
	}
	// Output: not on App IO
}

// What became of a message.
func ExampleClient_Message() {
	client, close := exampleClient(nil)
	defer close()
	receipt, err := client.Submit(context.Background(), exampleMessage())
	if err != nil {
		panic(err)
	}
	state, err := client.Message(context.Background(), flussi.TestRecipient(), receipt.ID)
	fmt.Println(state.Status, state.Status.Final(), err)
	// Output: PROCESSED true <nil>
}

// All services of one body share one pace.
func ExamplePace() {
	pace, err := appio.NewPace(appio.PaceConfig{}) // 150 calls in 5 s
	if err != nil {
		panic(err)
	}
	for _, text := range []string{"key-of-tributi", "key-of-scuola"} {
		key, err := flussi.ParseKey(text)
		if err != nil {
			panic(err)
		}
		client, err := appio.New(key, appio.Config{Pace: pace})
		fmt.Println(client != nil, err)
	}
	fmt.Printf("%.1f calls a second\n", pace.Rate())
	// Output:
	// true <nil>
	// true <nil>
	// 29.4 calls a second
}

// Test a service of yours with the simulator: it knows what was really delivered.
func Example_simulator() {
	server := appiotest.NewServer(appiotest.Config{})
	defer server.Close()
	server.AddService(appiotest.Service{ID: "tributi", Key: "a-key"})
	server.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.GatewayTimeout, Stored: true})

	// Here your service would run, with server.URL and the key.
	key, err := flussi.ParseKey("a-key")
	if err != nil {
		panic(err)
	}
	client, err := appio.New(key, appio.Config{BaseURL: server.URL})
	if err != nil {
		panic(err)
	}
	_, err = client.Submit(context.Background(), exampleMessage())
	fmt.Println("the client was told:", flussi.OutcomeOf(err))
	for _, d := range server.Deliveries() {
		fmt.Println("the citizen got:", strings.ToLower(d.State.Status), d.Subject.Reveal())
	}
	// Output:
	// the client was told: unknown
	// the citizen got: processed Scadenza della TARI
}

// Who subscribed and unsubscribed on some days; the next time the program begins at next.
func ExampleClient_Feeds() {
	platform := appiotest.NewServer(appiotest.Config{})
	defer platform.Close()
	platform.AddService(appiotest.Service{ID: "tributi", Key: "a-key", ReadsFeed: true})
	key, _ := flussi.ParseKey("a-key")
	client, _ := appio.New(key, appio.Config{BaseURL: platform.URL})
	next := time.Date(2025, time.December, 30, 0, 0, 0, 0, time.UTC) // kept by the program
	platform.AddFeed("tributi", next.AddDate(0, 0, 1), []flussi.FiscalCode{appiotest.SampleCitizen(1)}, nil)

	for entry, err := range client.Feeds(context.Background(), next, next.AddDate(0, 0, 2)) { // or until time.Now()
		day := entry.Day.Format(time.DateOnly)
		switch {
		case err != nil:
			fmt.Println(flussi.Explain(err))
		case entry.Pending: // the day is not over
		case entry.DayEnds:
			fmt.Println(day, "was read")
			next = entry.Day.AddDate(0, 0, 1)
		case entry.Subscribed:
			fmt.Println(day, "subscribed:", entry.Citizen == appio.HashCitizen(appiotest.SampleCitizen(1)))
		default:
			fmt.Println(day, "unsubscribed:", entry.Citizen)
		}
	}
	fmt.Println("next:", next.Format(time.DateOnly))
	// Output:
	// 2025-12-30 was read
	// 2025-12-31 subscribed: true
	// 2025-12-31 was read
	// 2026-01-01 was read
	// next: 2026-01-02
}

// Processes that send for one body share its limit by a store that all of them use, such as one of
// sqlstore/postgres. In this program, two Paces stand for two processes, and the store is in memory.
func ExamplePaceConfig_shared() {
	store := &appio.MemoryTurns{}
	for _, process := range []string{"first", "second"} {
		pace, err := appio.NewPace(appio.PaceConfig{Shared: store, Body: "80185250588"})
		if err != nil {
			panic(err)
		}
		if err := pace.Wait(context.Background()); err != nil { // a client does this before each call
			panic(err)
		}
		fmt.Printf("the %s process may call, at %.1f calls a second of both\n", process, pace.Rate())
	}
	// Output:
	// the first process may call, at 29.4 calls a second of both
	// the second process may call, at 29.4 calls a second of both
}
