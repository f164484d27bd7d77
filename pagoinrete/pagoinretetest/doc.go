// Package pagoinretetest checks implementations of the interfaces of package pagoinrete.
//
// # Stores
//
// [RunStore] checks whether a [pagoinrete.Store] keeps the contract that its documentation
// states. Call it in the tests of yours:
//
//	func TestStoreKeepsTheContract(t *testing.T) {
//		pagoinretetest.RunStore(t, func(t *testing.T) pagoinrete.Store {
//			db := … // a database of its own, or one that was just emptied
//			return mystore.New(db)
//		})
//	}
//
// There is one test for each rule of the contract; its name is the rule in words, so that one rule
// is run by
//
//	go test -run 'TestStoreKeepsTheContract/the counts of an event are those of its notices'
//
// [CheckStore] does the same without a *testing.T, and [StoreRules] lists the rules. Files are named
// by the part of the contract that they check. All rules take some seconds on a store in memory, and
// up to a few minutes on a database that waits for its disk at each commit. Random data come from a
// fixed seed, so a failure happens again.
//
// A notice is stored only where its event is, with the event's school, and neither of the
// two changes; so a database may have foreign keys. A store that has more to promise, such
// as to survive a crash of its database, has more to test than this.
//
// # Gateways
//
// [RunGateway] checks whether a [pagoinrete.Gateway] of yours keeps what its documentation states
// and what the Service relies on, against a test environment of the platform or a simulator:
//
//	func TestGatewayKeepsTheContract(t *testing.T) {
//		pagoinretetest.RunGateway(t, func(t *testing.T) pagoinretetest.GatewayEnvironment {
//			line := &recorder{next: http.DefaultTransport} // a RoundTripper of the test
//			client := … // your gateway, with line as its transport
//			return pagoinretetest.GatewayEnvironment{
//				Gateway: client, School: "RMIC8GA002", Account: iban, Secrets: []string{password},
//				Payer:       parent,
//				LogIn:       environment.LogIn,
//				Pay:         environment.Pay,
//				LoseReplies: line.LoseReplies,
//				Disconnect:  line.Disconnect,
//			}
//		})
//	}
//
// What a gateway cannot do itself, [GatewayEnvironment] has as hooks, each of which may be missing:
// then the rules that need it are skipped, and the test log says which. [CheckGateway] does the same
// without a *testing.T, and [GatewayRules] lists the rules. The suite needs no empty platform: it
// makes events with new IDs and looks at no others.
package pagoinretetest
