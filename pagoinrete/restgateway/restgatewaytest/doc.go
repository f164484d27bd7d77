// Package restgatewaytest simulates Pago In Rete for tests of programs that use package
// restgateway.
//
// [Simulator] simulates the platform. It behaves as the guide says, and shares no code with the
// client of this library. The ministry's format is not public: the simulator uses the format of
// restgateway's openapi.yaml.
//
//	server := restgatewaytest.NewServer(restgatewaytest.Config{})
//	defer server.Close()
//	server.AddSchool(restgatewaytest.School{Code: "RMIC8GA002", Key: "a-key"})
//	client, err := restgateway.New(key, "RMIC8GA002", restgateway.Config{BaseURL: server.URL})
//	// … transmit, approve and notify an event, and let families log in and pay:
//	server.LogIn(payer)
//	server.Pay(notice.ID, notice.Due())
//	// … then look at what the platform has:
//	for _, n := range server.Notices() { … }
//
// It checks requests, SIDI roles and states, recognises repeated transmissions, and assigns notice
// numbers, with rules of its own. [Simulator.LogIn], [Simulator.StartPayment], [Simulator.Pay],
// [Simulator.Settle] and [Simulator.Reconcile] do what families, providers and banks do. With
// [Simulator.SetEventState], [Simulator.SetNoticeState], [Simulator.SetNumber],
// [Simulator.SetProof] and [Simulator.Forget] the platform contradicts its earlier answers. Each
// method reports false if there is no such event or notice, or if its state does not permit it.
//
// [Simulator.Fail] and [Simulator.FailAtRandom] inject faults: refusals, errors with and without a
// problem, silence, replies and PDFs that are cut off or about another ID, and connections that
// break before or after the platform did what the call asks for. [Simulator.Events] and
// [Simulator.Notices] return what really happened, whatever the answers: how often each was created
// and transmitted, and who took which step.
//
// It uses the clock of the machine, or of a testing/synctest bubble.
package restgatewaytest
