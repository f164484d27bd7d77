// Package appiotest simulates App IO, to test a service without the platform. It behaves like
// the platform, and shares no code with the client of this library.
//
//	server := appiotest.NewServer(appiotest.Config{})
//	defer server.Close()
//	server.AddService(appiotest.Service{ID: "tributi", Key: "a-key", Body: "80185250588"})
//	client, err := appio.New(key, appio.Config{BaseURL: server.URL})
//	// … run your service, then look at what citizens received:
//	for _, d := range server.Deliveries() { … }
//
// It checks requests against the platform's schema; allows a body 150 calls in 5 seconds over
// all its services; generates ULIDs; moves messages from ACCEPTED to PROCESSED, or to REJECTED
// for citizens who are not on App IO or block the service; has profiles and feeds; and answers
// with the gateway's bodies where the gateway answers.
//
// [Simulator.Fail] and [Simulator.FailAtRandom] inject faults: refusals, errors with and
// without a problem, silence, and broken connections. All but refusals happen before or after
// the message is stored. [Simulator.Deliveries] returns all stored messages, even if the client
// got an error.
//
// It uses the clock of the machine, or of a testing/synctest bubble.
package appiotest
