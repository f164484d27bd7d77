package flowtest

// What tests of the contract need of it.
var (
	Contract     = contract
	Shared       = shared
	Methods      = methods
	SharedFlow   = sharedFlow
	SharedChange = sharedNotification
)

// Probe is the probe of a rule.
type Probe = probe
