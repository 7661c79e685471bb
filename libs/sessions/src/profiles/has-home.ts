/** Of a row of `desktops`: programs may be started, as the profile that they would start in is there, or will not come. */
export const hasHome = `NOT EXISTS (SELECT FROM session_profiles WHERE session_profiles.desktop_id = desktops.id
                                                      AND session_profiles.state IN ('waiting', 'opening'))`;
