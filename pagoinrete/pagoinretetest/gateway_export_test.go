package pagoinretetest

// What tests of the contract of gateways need of it.
var (
	GatewayContract = gatewayContract
	Complete        = GatewayEnvironment.complete
)
