import type { NativeBinding } from './native';

/**
 * Maps libtorch and loads the addon.
 * @param options.directory the torch folder that holds `lib/libtorch_cpu.so`
 * @param options.root the package, default the folder above this file
 * @throws the dynamic linker's error when a library cannot be mapped, the addon's when its versions do not fit
 */
export function load(options: { directory: string; root?: string }): NativeBinding;

/**
 * Maps what a CUDA device needs: the driver's library, libtorch with its CUDA part, and {@link cudaLibraryPath}, which
 * registers its kernels. Best before `load`; again does no harm.
 * @throws the dynamic linker's error, which begins with the name of the library
 */
export function mapCuda(directory: string, root?: string): void;

/**
 * Maps the libraries of libtorch on another thread, which takes half a second and more, so that `load` and `mapCuda` are quick.
 * Never rejects: what cannot be mapped is for them to say.
 */
export function mapInBackground(options: { directory: string; cuda: boolean }): Promise<void>;

/** The addon's file, or undefined when there is none for this platform. */
export function addonPath(root?: string): string | undefined;

/** The file of the CUDA kernels beside the addon, or undefined. */
export function cudaLibraryPath(root?: string): string | undefined;

/** Maps one shared library for the rest of the process. */
export function preload(file: string): void;
