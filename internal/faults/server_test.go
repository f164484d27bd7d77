package faults_test

import (
	"bytes"
	"errors"
	"log"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/faults"
)

func TestTheLogOfASimulatorMasksWhatItReceived(t *testing.T) {
	var printed bytes.Buffer
	before := log.Writer()
	log.SetOutput(&printed)
	defer log.SetOutput(before)
	address, end := faults.Listen(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		panic(errors.New(r.URL.Path))
	}))
	_, err := http.Get(address + "/messages/RSSMRA85T10A562S")
	require.Error(t, err)
	end()
	assert.Contains(t, printed.String(), "panic serving")
	assert.NotContains(t, printed.String(), "RSSMRA85T10A562S")
}
