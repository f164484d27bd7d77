package flowtest

// What tests of the contract need of it.
var (
	Contract = contract
	Shared   = shared
	Methods  = methods
)

// Probe is the probe of a rule.
type Probe = probe
