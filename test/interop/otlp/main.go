// A collector's front: takes OTLP/HTTP in JSON, decodes it with the OpenTelemetry Collector's own
// code, and prints each span and log record as one line of JSON. The first line is the address.
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

type line struct {
	Signal       string         `json:"signal"`
	Service      any            `json:"service"`
	Scope        string         `json:"scope"`
	TraceID      string         `json:"traceId"`
	SpanID       string         `json:"spanId"`
	ParentSpanID string         `json:"parentSpanId"`
	Name         string         `json:"name"`
	Kind         string         `json:"kind"`
	StartMs      float64        `json:"startMs"`
	EndMs        float64        `json:"endMs"`
	Attributes   map[string]any `json:"attributes"`
}

var out = json.NewEncoder(os.Stdout)

func main() {
	http.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) {
		request := ptraceotlp.NewExportRequest()
		answer(w, r, request.UnmarshalJSON, func() { printTraces(request) })
	})
	http.HandleFunc("POST /v1/logs", func(w http.ResponseWriter, r *http.Request) {
		request := plogotlp.NewExportRequest()
		answer(w, r, request.UnmarshalJSON, func() { printLogs(request) })
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("%q\n", "http://"+listener.Addr().String())
	panic(http.Serve(listener, nil))
}

func answer(w http.ResponseWriter, r *http.Request, decode func([]byte) error, print func()) {
	plain, err := gzip.NewReader(r.Body)
	if err == nil {
		var body []byte
		if body, err = io.ReadAll(plain); err == nil {
			err = decode(body)
		}
	}
	if err != nil {
		fmt.Printf("%q\n", "refused: "+err.Error())
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	print()
	w.Header().Set("content-type", "application/json")
	fmt.Fprint(w, `{"partialSuccess":{}}`)
}

func printTraces(request ptraceotlp.ExportRequest) {
	for _, resource := range request.Traces().ResourceSpans().All() {
		service, _ := resource.Resource().Attributes().Get("service.name")
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				_ = out.Encode(line{
					"traces", service.AsString(), scope.Scope().Name(), span.TraceID().String(),
					span.SpanID().String(), span.ParentSpanID().String(), span.Name(),
					span.Kind().String(), float64(span.StartTimestamp()) / 1e6,
					float64(span.EndTimestamp()) / 1e6, span.Attributes().AsRaw(),
				})
			}
		}
	}
}

func printLogs(request plogotlp.ExportRequest) {
	for _, resource := range request.Logs().ResourceLogs().All() {
		service, _ := resource.Resource().Attributes().Get("service.name")
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				_ = out.Encode(line{
					"logs", service.AsString(), scope.Scope().Name(), record.TraceID().String(),
					record.SpanID().String(), "", record.Body().AsString(),
					record.SeverityNumber().String(), float64(record.Timestamp()) / 1e6,
					float64(record.ObservedTimestamp()) / 1e6, record.Attributes().AsRaw(),
				})
			}
		}
	}
}
