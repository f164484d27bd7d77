package appiotest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
)

// The connection breaks after the platform has stored the message: the client cannot know,
// the simulator does.
func Example() {
	server := appiotest.NewServer(appiotest.Config{})
	defer server.Close()
	server.AddService(appiotest.Service{ID: "tributi", Key: "a-key"})
	server.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Reset, Stored: true})

	key, _ := flussi.ParseKey("a-key")
	client, err := appio.New(key, appio.Config{BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	to, _ := flussi.ParseFiscalCode("AAAAAA00A00A000A")
	_, err = client.Submit(context.Background(), appio.Message{
		To:      to,
		Subject: flussi.NewText("Scadenza della TARI"),
		Content: flussi.NewText(strings.Repeat("La prima rata scade il 16 giugno. ", 3)),
	})
	fmt.Println(flussi.OutcomeOf(err), len(server.Deliveries()))
	// Output:
	// unknown 1
}
