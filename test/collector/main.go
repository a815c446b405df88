// A collector from the same upstream parts as the AWS Distro for OpenTelemetry: receiver, batches, health check and the exporter of OTLP.
// The exporter to X-Ray has none of its own modules in the Go proxy, so here a writer to standard output bears its name.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/healthcheckextension"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"gopkg.in/yaml.v3"
)

const configuration = "AOT_CONFIG_CONTENT"

func main() {
	run := collect
	if len(os.Args) > 1 && os.Args[1] == "healthcheck" {
		run = checkHealth
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func collect() error {
	return otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "collector"},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs:              []string{"env:" + configuration},
			ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory()},
		}},
	}).Execute()
}

// What /healthcheck of the image does, at the port that the configuration names.
func checkHealth() error {
	var settings struct {
		Extensions map[string]struct{ Endpoint string }
	}
	if err := yaml.Unmarshal([]byte(os.Getenv(configuration)), &settings); err != nil {
		return err
	}
	response, err := http.Get("http://" + settings.Extensions["health_check"].Endpoint + "/")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

func factories() (all otelcol.Factories, err error) {
	if all.Receivers, err = otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory()); err != nil {
		return all, err
	}
	if all.Processors, err = otelcol.MakeFactoryMap[processor.Factory](batchprocessor.NewFactory()); err != nil {
		return all, err
	}
	if all.Exporters, err = otelcol.MakeFactoryMap[exporter.Factory](writer(), otlphttpexporter.NewFactory()); err != nil {
		return all, err
	}
	all.Telemetry = otelconftelemetry.NewFactory()
	all.Extensions, err = otelcol.MakeFactoryMap[extension.Factory](healthcheckextension.NewFactory())
	return all, err
}

// The settings of the real exporter that the library uses; the collector refuses any other.
type writerSettings struct {
	IndexedAttributes []string `mapstructure:"indexed_attributes"`
}

func writer() exporter.Factory {
	create := func(ctx context.Context, settings exporter.Settings, config component.Config) (exporter.Traces, error) {
		return exporterhelper.NewTraces(ctx, settings, config, write)
	}
	return exporter.NewFactory(
		component.MustNewType("awsxray"),
		func() component.Config { return &writerSettings{} },
		exporter.WithTraces(create, component.StabilityLevelDevelopment),
	)
}

func write(_ context.Context, traces ptrace.Traces) error {
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	if err == nil {
		_, err = os.Stdout.Write(append(text, '\n'))
	}
	return err
}
