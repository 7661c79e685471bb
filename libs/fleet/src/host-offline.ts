/** A host whose provisioner was silent for so long gets no new desktops. */
export const HOST_OFFLINE_AFTER_SECONDS = 30;
