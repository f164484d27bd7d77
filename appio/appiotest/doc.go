// Package appiotest simulates App IO, to test a service without the platform: it
// behaves as the platform does, not as the client of this library expects.
//
//	server := appiotest.NewServer(appiotest.Config{})
//	defer server.Close()
//	server.AddService(appiotest.Service{ID: "tributi", Key: "a-key", Body: "80185250588"})
//	client, err := appio.New(key, appio.Config{BaseURL: server.URL})
//	// … run your service, then see what citizens really got:
//	for _, d := range server.Deliveries() { … }
//
// It checks requests by the platform's schema, with code of its own; allows a body 150
// calls in 5 seconds over all its services; gives ULIDs; lets messages advance from
// ACCEPTED to PROCESSED, or to REJECTED for citizens who are not on App IO or block
// the service; has profiles and feeds; and answers with the gateway's own bodies where
// the gateway answers.
//
// [Simulator.Fail] and [Simulator.FailAtRandom] inject faults: refusals, errors with and
// without a problem, silence, and broken connections. All but refusals happen before or after
// the message is stored. [Simulator.Deliveries] returns the stored messages, also those for which
// the client got an error.
//
// Time is the machine's, or that of a testing/synctest bubble.
package appiotest
