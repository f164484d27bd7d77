// Package restgatewaytest simulates Pago In Rete for tests of programs that use package
// restgateway.
//
// [Simulator] is the platform, to test a program without it: it behaves as the guide says
// that the platform does, not as the client of this library expects. The ministry's format is
// not public; it speaks the format of restgateway's openapi.yaml.
//
//	server := restgatewaytest.NewServer(restgatewaytest.Config{})
//	defer server.Close()
//	server.AddSchool(restgatewaytest.School{Code: "RMIC8GA002", Key: "a-key"})
//	client, err := restgateway.New(key, "RMIC8GA002", restgateway.Config{BaseURL: server.URL})
//	// … transmit, have it approved and notify, and let families do their part:
//	server.LogIn(payer)
//	server.Pay(notice.ID, notice.Due())
//	// … then see what there really is:
//	for _, n := range server.Notices() { … }
//
// It checks requests, judges SIDI roles and states, recognises what is put again, and gives
// notice numbers, all with code and rules of its own. Families, providers and banks act by
// [Simulator.LogIn], [Simulator.StartPayment], [Simulator.Pay], [Simulator.Settle] and
// [Simulator.Reconcile]. The platform contradicts what it said by [Simulator.SetEventState],
// [Simulator.SetNoticeState], [Simulator.SetNumber], [Simulator.SetProof] and
// [Simulator.Forget]. Each reports whether it happened: not where there is no such event or
// notice, or its state does not permit it.
//
// [Simulator.Fail] and [Simulator.FailAtRandom] inject faults: refusals, errors with and
// without a problem, silence, replies and PDFs that are cut off or about something else, and
// connections that break before and after the platform did what it was asked for.
// [Simulator.Events] and [Simulator.Notices] are the truth about that, whatever the client was
// told: how often each was created and transmitted, and what was done to it by whom.
//
// Time is the machine's, or that of a testing/synctest bubble.
package restgatewaytest
