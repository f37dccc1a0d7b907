// Command fakegpu is a kubelet device plugin that advertises simulated GPUs as an extended resource.
// It mounts no device: a container only finds the ids of its GPUs in its environment.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const socketName = "tunesmith-fakegpu.sock"

type plugin struct {
	v1beta1.UnimplementedDevicePluginServer
	count int
}

func (p *plugin) GetDevicePluginOptions(context.Context, *v1beta1.Empty) (*v1beta1.DevicePluginOptions, error) {
	return &v1beta1.DevicePluginOptions{}, nil
}

func (p *plugin) ListAndWatch(_ *v1beta1.Empty, stream v1beta1.DevicePlugin_ListAndWatchServer) error {
	var devices []*v1beta1.Device
	for i := range p.count {
		devices = append(devices, &v1beta1.Device{ID: fmt.Sprintf("simulated-gpu-%d", i), Health: v1beta1.Healthy})
	}
	if err := stream.Send(&v1beta1.ListAndWatchResponse{Devices: devices}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (p *plugin) Allocate(_ context.Context, request *v1beta1.AllocateRequest) (*v1beta1.AllocateResponse, error) {
	response := &v1beta1.AllocateResponse{}
	for _, container := range request.ContainerRequests {
		ids := strings.Join(container.DevicesIds, ",")
		response.ContainerResponses = append(response.ContainerResponses, &v1beta1.ContainerAllocateResponse{
			Envs: map[string]string{"SIMULATED_GPU_IDS": ids, "NVIDIA_VISIBLE_DEVICES": ids},
		})
	}
	return response, nil
}

func main() {
	folder := flag.String("folder", v1beta1.DevicePluginPath, "the kubelet's device plugin folder")
	resource := flag.String("resource", "nvidia.com/gpu", "name of the extended resource")
	count := flag.Int("count", 4, "number of simulated devices")
	flag.Parse()
	for {
		if err := serve(*folder, *resource, *count); err != nil {
			log.Print(err)
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// serve registers with the kubelet and returns when that kubelet is gone: a new one has forgotten its plugins.
func serve(folder, resource string, count int) error {
	kubelet := filepath.Join(folder, "kubelet.sock")
	registeredWith, err := os.Stat(kubelet)
	if err != nil {
		return nil // not started yet
	}
	socket := filepath.Join(folder, socketName)
	os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	defer server.Stop()
	v1beta1.RegisterDevicePluginServer(server, &plugin{count: count})
	go server.Serve(listener)
	if err := register(kubelet, resource); err != nil {
		return err
	}
	log.Printf("registered %d x %s", count, resource)
	for isSame(kubelet, registeredWith) && exists(socket) {
		time.Sleep(500 * time.Millisecond)
	}
	return nil
}

func register(kubelet, resource string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	connection, err := grpc.NewClient("unix://"+kubelet, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = v1beta1.NewRegistrationClient(connection).Register(ctx, &v1beta1.RegisterRequest{
		Version: v1beta1.Version, Endpoint: socketName, ResourceName: resource, Options: &v1beta1.DevicePluginOptions{},
	})
	return err
}

func isSame(path string, before os.FileInfo) bool {
	now, err := os.Stat(path)
	return err == nil && os.SameFile(before, now) && now.ModTime().Equal(before.ModTime())
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
