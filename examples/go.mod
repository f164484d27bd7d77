module github.com/flussi-go/flussi/examples

go 1.25.0

require (
	github.com/flussi-go/flussi v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/looplab/fsm v1.0.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/flussi-go/flussi => ../
