// Package pagoinretetest has what tests of programs that use package pagoinrete need.
//
// # Stores
//
// [Run] checks whether a [pagoinrete.Store] keeps the contract that its documentation
// states. Call it in the tests of yours:
//
//	func TestStoreKeepsTheContract(t *testing.T) {
//		pagoinretetest.Run(t, func(t *testing.T) pagoinrete.Store {
//			db := … // a database of its own, or one that was just emptied
//			return sqlstore.New(db)
//		})
//	}
//
// There is one test for each rule of the contract; its name is the rule in words, such
// as "the counts of an event are those of its notices". [Check] does the same without a
// *testing.T, and [Rules] lists the rules. Files are named by the part of the contract
// that they check. Random data come from a fixed seed, so a failure happens again.
//
// A notice is stored only where its event is, with the event's school, and neither of the
// two changes; so a database may have foreign keys. A store that has more to promise, such
// as to survive a crash of its database, has more to test than this.
//
// # Pago In Rete
//
// [Simulator] is the platform, to test a program without it: it behaves as the guide says
// that the platform does, not as the client of this library expects. The ministry's format is
// not public; it speaks the one of pagoinrete's openapi.yaml.
//
//	server := pagoinretetest.NewServer(pagoinretetest.Config{})
//	defer server.Close()
//	server.AddSchool(pagoinretetest.School{Code: "RMIC8GA002", Key: "a-key"})
//	client, err := pagoinrete.New(key, "RMIC8GA002", pagoinrete.Config{BaseURL: server.URL})
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
package pagoinretetest
