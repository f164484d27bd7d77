package settlementtest

// Exports for the tests of the contract.
var (
	StoreContract = storeContract
	Shared        = shared
	Methods       = methods
)

// Probe is the probe of a rule.
type Probe = probe
