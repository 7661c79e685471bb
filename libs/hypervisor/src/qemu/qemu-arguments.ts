import type { MachineSpec } from '../machine.js';

export type Accelerator = 'kvm' | 'tcg';

/** Marks a machine's process on its command line. */
export const processName = (machineId: string): string => `goldleaf-${machineId}`;

/** VNC displays are counted from port 5900; the first that is free in this range is taken by QEMU itself. */
export interface DisplayPorts {
  readonly first: number;
  readonly last: number;
}

/** Only the processor differs between accelerators, so that a machine looks the same to its guest on both. */
export function acceleratorArguments(accelerator: Accelerator): string[] {
  return accelerator === 'kvm'
    ? ['-accel', 'kvm', '-cpu', 'host']
    : ['-accel', 'tcg,thread=multi,tb-size=128', '-cpu', 'max'];
}

/**
 * Kernel arguments that are right for the accelerator whatever the image. Emulated processors do not speculate, so that
 * the guards against it only cost; and their time stamp counter is the host's clock, which the guest cannot see.
 */
const KERNEL_ARGUMENTS: Record<Accelerator, string> = { kvm: '', tcg: ' mitigations=off tsc=reliable no_timer_check' };

const SANDBOX = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';

/**
 * The command line of a machine. Relative paths: QEMU's working folder is the machine's `run` folder. Every device has
 * an address of its own, since a machine that is forked must find each device where its parent had it. No secret is
 * here: command lines are public on a host.
 */
export function qemuArguments(spec: MachineSpec, accelerator: Accelerator, ports: DisplayPorts): string[] {
  const leaf = {
    driver: 'qcow2',
    'node-name': 'leaf',
    discard: 'unmap',
    // Nothing in a leaf outlives its machine, so nothing is worth waiting for the host's disk.
    cache: { 'no-flush': true },
    file: { driver: 'file', filename: 'leaf.qcow2', discard: 'unmap', cache: { 'no-flush': true } },
  };
  return [
    ['-name', processName(spec.id)],
    ['-nodefaults'],
    ['-no-user-config'],
    // A guest that reboots ends: its leaf is destroyed and a clean machine takes its place.
    ['-no-reboot'],
    ['-S'],
    ['-sandbox', SANDBOX],
    ['-msg', 'timestamp=on'],
    acceleratorArguments(accelerator),
    ['-machine', 'pc,memory-backend=ram0,usb=off,vmport=off,dump-guest-core=off'],
    ['-no-hpet'],
    ['-smp', `${spec.vcpus}`],
    ['-m', `${spec.memoryMiB}M`],
    ['-object', `memory-backend-ram,id=ram0,size=${spec.memoryMiB}M`],
    ['-rtc', 'base=utc'],
    ['-kernel', spec.image.kernelPath],
    ['-initrd', spec.image.initrdPath],
    ['-append', kernelArguments(spec, accelerator)],
    ['-blockdev', JSON.stringify(leaf)],
    ['-device', 'virtio-vga,id=screen,addr=0x2,xres=1024,yres=768'],
    ['-device', 'virtio-serial-pci,id=serial,addr=0x3,max_ports=8'],
    ['-device', 'virtio-blk-pci,id=disk,addr=0x4,drive=leaf'],
    ['-device', 'virtio-keyboard-pci,id=keyboard,addr=0x5'],
    ['-device', 'virtio-tablet-pci,id=tablet,addr=0x6'],
    ['-object', 'rng-random,id=random,filename=/dev/urandom'],
    ['-device', 'virtio-rng-pci,id=rng,addr=0x7,rng=random'],
    // restrict: no way to the host, to other machines or anywhere else.
    ['-netdev', 'user,id=net,restrict=on,ipv6=off'],
    ['-device', 'virtio-net-pci,id=nic,addr=0x8,netdev=net,romfile='],
    ['-device', 'vmgenid,guid=auto'],
    ['-chardev', 'socket,id=agent,path=agent.sock,server=on,wait=off'],
    ['-device', 'virtserialport,bus=serial.0,nr=1,chardev=agent,name=org.qemu.guest_agent.0'],
    ['-chardev', 'qemu-vdagent,id=clipboard,name=vdagent,clipboard=on,mouse=off'],
    ['-device', 'virtserialport,bus=serial.0,nr=2,chardev=clipboard,name=com.redhat.spice.0'],
    // The last of what the kernel said, in memory: a file here would let a guest fill the host's disk.
    ['-chardev', 'ringbuf,id=console,size=65536'],
    ['-serial', 'chardev:console'],
    ['-chardev', 'socket,id=qmp,path=qmp.sock,server=on,wait=off'],
    ['-mon', 'chardev=qmp,mode=control'],
    // A second monitor that writes events to a file, so that the reason of an end is known when nobody watched.
    ['-chardev', 'pipe,id=events,path=events'],
    ['-mon', 'chardev=events,mode=control'],
    ['-display', 'none'],
    ['-vnc', `127.0.0.1:${ports.first - 5900},to=${ports.last - 5900},password=on`],
  ].flat();
}

function kernelArguments(spec: MachineSpec, accelerator: Accelerator): string {
  const own = `console=tty0 console=ttyS0 systemd.hostname=${spec.hostname}`;
  return `${spec.image.kernelArguments} ${own}${KERNEL_ARGUMENTS[accelerator]}`;
}
