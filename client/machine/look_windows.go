package machine

import (
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// windowsServices lists the services with the rights that any user has: mgr.Connect of x/sys would ask for all of them.
func windowsServices() ([]Service, error) {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
	if err != nil {
		return nil, err
	}
	defer func() { _ = windows.CloseServiceHandle(manager) }()
	buffer := make([]byte, 256<<10) // the most that the call takes
	var list []Service
	var resume uint32
	for {
		var needed, returned uint32
		err := windows.EnumServicesStatusEx(manager, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32, windows.SERVICE_STATE_ALL, &buffer[0], uint32(len(buffer)), &needed, &returned, &resume, nil)
		if err != nil && err != windows.ERROR_MORE_DATA {
			return nil, err
		}
		for _, s := range unsafe.Slice((*windows.ENUM_SERVICE_STATUS_PROCESS)(unsafe.Pointer(&buffer[0])), returned) {
			list = append(list, Service{Name: windows.UTF16PtrToString(s.ServiceName), Running: s.ServiceStatusProcess.CurrentState == windows.SERVICE_RUNNING})
		}
		if err == nil || returned == 0 {
			return list, nil
		}
	}
}

// windowsPrograms lists what Windows shows under Apps and Features.
func windowsPrograms() ([]Program, error) {
	var list []Program
	var first error
	for _, path := range []string{`SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`, `SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall`} {
		all, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.ENUMERATE_SUB_KEYS)
		if err != nil {
			first = err
			continue
		}
		names, _ := all.ReadSubKeyNames(-1)
		_ = all.Close()
		for _, name := range names {
			k, err := registry.OpenKey(registry.LOCAL_MACHINE, path+`\`+name, registry.QUERY_VALUE)
			if err != nil {
				continue
			}
			title, _, err := k.GetStringValue("DisplayName")
			version, _, _ := k.GetStringValue("DisplayVersion")
			_ = k.Close()
			if err == nil {
				list = append(list, Program{title, version})
			}
		}
	}
	if list == nil {
		return nil, first
	}
	return list, nil
}
