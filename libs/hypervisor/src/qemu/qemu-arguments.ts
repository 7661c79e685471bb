import { createHash } from 'node:crypto';
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

/** Where a machine's memory lives. */
export type MachineMemory =
  /** Its own; it starts empty and the machine boots. */
  | { readonly kind: 'own' }
  /** A file that is kept when the machine has ended: a parent in the making. */
  | { readonly kind: 'kept'; readonly memoryPath: string }
  /** A parent's, mapped copy-on-write; the machine waits for the parent's device state. */
  | { readonly kind: 'forked'; readonly memoryPath: string };

export interface QemuArguments {
  readonly spec: MachineSpec;
  readonly accelerator: Accelerator;
  readonly ports: DisplayPorts;
  readonly memory: MachineMemory;
  /** `encrypted`: the key is read from the pipe `leaf.key` in the machine's folder. */
  readonly leaf: 'plain' | 'encrypted';
}

/** A locally administered hardware address that follows from the machine's id. */
export function macAddress(machineId: string): string {
  const bytes = createHash('sha256').update(`mac ${machineId}`).digest().subarray(0, 5);
  return ['52', ...[...bytes].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

const SANDBOX = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';

/**
 * The command line of a machine. Relative paths: QEMU's working folder is the machine's `run` folder. Every device has
 * an address of its own, since a machine that is forked must find each device where its parent had it. No secret is
 * here: command lines are public on a host.
 */
export function qemuArguments({ spec, accelerator, ports, memory, leaf }: QemuArguments): string[] {
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
    ['-object', memoryBackend(spec, memory)],
    memory.kind === 'forked' ? ['-incoming', 'defer'] : [],
    ['-rtc', 'base=utc'],
    ['-kernel', spec.image.kernelPath],
    ['-initrd', spec.image.initrdPath],
    ['-append', kernelArguments(spec, accelerator)],
    leaf === 'encrypted' ? ['-object', 'secret,id=leaf-key,file=leaf.key'] : [],
    ['-blockdev', JSON.stringify(leafNode(leaf))],
    ['-device', 'virtio-vga,id=screen,addr=0x2,xres=1024,yres=768'],
    ['-device', 'virtio-serial-pci,id=serial,addr=0x3,max_ports=8'],
    // A full host disk is an error that the guest sees; QEMU's own choice would freeze it without a word.
    ['-device', 'virtio-blk-pci,id=disk,addr=0x4,drive=leaf,werror=report,rerror=report'],
    ['-device', 'virtio-keyboard-pci,id=keyboard,addr=0x5'],
    ['-device', 'virtio-tablet-pci,id=tablet,addr=0x6'],
    ['-object', 'rng-random,id=random,filename=/dev/urandom'],
    ['-device', 'virtio-rng-pci,id=rng,addr=0x7,rng=random'],
    // restrict: no way to the host, to other machines or anywhere else.
    ['-netdev', 'user,id=net,restrict=on,ipv6=off'],
    ['-device', `virtio-net-pci,id=nic,addr=0x8,netdev=net,romfile=,mac=${macAddress(spec.id)}`],
    ['-device', 'vmgenid,guid=auto'],
    ['-chardev', 'socket,id=agent,path=agent.sock,server=on,wait=off'],
    ['-device', 'virtserialport,bus=serial.0,nr=1,chardev=agent,name=org.qemu.guest_agent.0'],
    // QEMU refuses to save a machine with the real one.
    [
      '-chardev',
      memory.kind === 'kept' ? 'null,id=clipboard' : 'qemu-vdagent,id=clipboard,name=vdagent,clipboard=on,mouse=off',
    ],
    ['-device', 'virtserialport,bus=serial.0,nr=2,chardev=clipboard,name=com.redhat.spice.0'],
    // Where a forked machine is told who it is; see identity.ts.
    ['-chardev', 'socket,id=identity,path=identity.sock,server=on,wait=off'],
    ['-device', 'virtserialport,bus=serial.0,nr=3,chardev=identity,name=org.goldleaf.identity.0'],
    // Where the guest asks for applications; see guest-message-ports.ts.
    ['-chardev', 'socket,id=apps,path=apps.sock,server=on,wait=off'],
    ['-device', 'virtserialport,bus=serial.0,nr=4,chardev=apps,name=org.goldleaf.apps.0'],
    // What volumes are plugged into while the machine runs; see attached-volumes.ts.
    ['-device', 'virtio-scsi-pci,id=volumes,addr=0x9'],
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

function leafNode(kind: 'plain' | 'encrypted'): object {
  // Nothing in a leaf outlives its machine, so nothing is worth waiting for the host's disk.
  const cache = { 'no-flush': true };
  const file = (filename: string) => ({ driver: 'file', filename, discard: 'unmap', cache });
  return {
    driver: 'qcow2',
    'node-name': 'leaf',
    discard: 'unmap',
    cache,
    file:
      kind === 'plain'
        ? file('leaf.qcow2')
        : { driver: 'luks', 'key-secret': 'leaf-key', discard: 'unmap', cache, file: file('leaf.luks') },
  };
}

function memoryBackend(spec: MachineSpec, memory: MachineMemory): string {
  const size = `id=ram0,size=${spec.memoryMiB}M`;
  if (memory.kind === 'own') return `memory-backend-ram,${size}`;
  const path = memory.memoryPath.replaceAll(',', ',,');
  return `memory-backend-file,${size},mem-path=${path},share=${memory.kind === 'kept' ? 'on' : 'off'}`;
}

function kernelArguments(spec: MachineSpec, accelerator: Accelerator): string {
  const own = `console=tty0 console=ttyS0 systemd.hostname=${spec.hostname}`;
  return `${spec.image.kernelArguments} ${own}${KERNEL_ARGUMENTS[accelerator]}`;
}
