package pagoinretetest

// What tests of the contract need of it.
var (
	StoreContract = storeContract
	Shared        = shared
	Methods       = methods
	SharedEvent   = sharedEvent
	SharedNotice  = sharedNotice
)

// Probe is the probe of a rule.
type Probe = probe
