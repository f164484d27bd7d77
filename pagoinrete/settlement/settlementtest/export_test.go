package settlementtest

// What tests of the contract need of it.
var (
	StoreContract = storeContract
	Shared        = shared
	Methods       = methods
)

// Probe is the probe of a rule.
type Probe = probe
