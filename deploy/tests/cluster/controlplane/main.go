// Command controlplane is a Kubernetes control plane in one executable.
//
// The first argument selects the program; the others are its arguments:
//
//	controlplane etcd|kube-apiserver|kube-scheduler|kube-controller-manager|kwok [ARGUMENT...]
//
// k8s.io/kubernetes replaces its k8s.io/* requirements by folders of its own repository, so that "go install" refuses it.
// The go.mod beside this file replaces them by the published modules of the same release instead.
// One executable for all five needs one link. kubectl and the Elastic operator are separate tools of the module: kubectl is
// started so often that a larger executable would cost more than a link.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	"sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: controlplane PROGRAM [ARGUMENT...]")
		os.Exit(2)
	}
	program := os.Args[1]
	// Each program reads os.Args for itself and expects its own name first.
	os.Args = os.Args[1:]
	switch program {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "kwok":
		runKwok()
	default:
		fmt.Fprintf(os.Stderr, "controlplane: no program %q\n", program)
		os.Exit(2)
	}
}

// kwok reads its configuration files before it parses its own options.
func runKwok() {
	// The packages of Kubernetes put flags of their own here, among them another --version; cobra would take them over.
	pflag.CommandLine = pflag.NewFlagSet("kwok", pflag.ContinueOnError)
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, _ := log.InitFlags(signals.SetupSignalContext(), flags)
	ctx, err := config.InitFlags(ctx, flags)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kwok:", err)
		os.Exit(1)
	}
	command := kwok.NewCommand(ctx)
	command.PersistentFlags().AddFlagSet(flags)
	if err := command.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kwok:", err)
		os.Exit(1)
	}
}
